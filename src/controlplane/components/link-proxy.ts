/**
 * The proxy between members of a plane: a process of its own, so that bytes between members never wait for the event
 * loop of whoever runs the plane.
 */
import { compiledScriptPath } from '../../core/index.ts';
import type { LinkPlan } from '../links/link-plan.ts';
import type { ComponentInstance } from './component.ts';

export function linkProxy(name: string, plan: LinkPlan): ComponentInstance {
  return {
    component: 'link-proxy',
    name,
    program: process.execPath,
    args: [compiledScriptPath('src/controlplane/links/proxy-main'), plan.configPath],
    readyPath: '/readyz',
    address: `127.0.0.1:${plan.config.control.port}`,
    identity: 'admin',
  };
}
