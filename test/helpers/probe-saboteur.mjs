/**
 * Tampers with the probe objects of a run behind its back, as the administrator of the cluster that KUBECONFIG names:
 *
 *   node probe-saboteur.mjs remove       deletes the one that was created first
 *   node probe-saboteur.mjs duplicate    makes a copy, under another name, of the one that was created last but ten
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { parse } from 'yaml';

const { clusters, users } = parse(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
const { cluster } = clusters[0];
const { user } = users[0];
/** What a kubeconfig holds either in itself or in a file. */
const pem = (holder, key) =>
  holder[`${key}-data`] === undefined
    ? readFileSync(holder[key])
    : Buffer.from(holder[`${key}-data`], 'base64');
const credentials = {
  ca: pem(cluster, 'certificate-authority'),
  cert: pem(user, 'client-certificate'),
  key: pem(user, 'client-key'),
};

const ask = (method, path, body) =>
  new Promise((resolve, reject) => {
    const asking = request(
      new URL(path, cluster.server),
      { method, ...credentials, headers: { 'content-type': 'application/json' } },
      async (reply) => {
        let text = '';
        for await (const chunk of reply) text += chunk;
        if (reply.statusCode < 300) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path} answers ${reply.statusCode}: ${text}`));
      },
    );
    asking.on('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });

const { items } = await ask('GET', '/api/v1/configmaps?labelSelector=hollowmark.dev/probe');
items.sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
const [deed] = process.argv.slice(2);
const { metadata, data } = deed === 'remove' ? items[0] : items.at(-10);
const collection = `/api/v1/namespaces/${metadata.namespace}/configmaps`;
if (deed === 'remove') await ask('DELETE', `${collection}/${metadata.name}`);
else
  await ask('POST', collection, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'zz-second-one', labels: metadata.labels },
    data,
  });
