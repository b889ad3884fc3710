/**
 * Kubeconfig files with everything inside, so that they work from any folder and in a container.
 */
import { stringify } from 'yaml';
import type { KeyAndCertificate } from './authority.ts';

/** Text of a kubeconfig with one cluster, one user and one context, all called `name`. */
export function formatKubeconfig(options: {
  name: string;
  server: string;
  caPem: string;
  user: KeyAndCertificate;
}): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { name } = options;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name, cluster: { server: options.server, 'certificate-authority-data': base64(options.caPem) } },
    ],
    users: [
      {
        name,
        user: {
          'client-certificate-data': base64(options.user.certPem),
          'client-key-data': base64(options.user.keyPem),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
