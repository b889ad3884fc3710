/**
 * A node's client certificate that can stop being valid and be renewed. While it is expired, new TLS sessions present
 * one that the API server refuses: it answers 401 to each request, as it does to a kubelet that missed its rotation,
 * because the server checks the dates with each request and not in the handshake.
 * Source: k8s.io/apiserver pkg/authentication/request/x509 v0.36.3
 */
import type { SecureContext } from 'node:tls';
import type { ClientIdentity, IdentityHeaders } from '../../src/kube/index.ts';

export class NodeCertificate implements ClientIdentity {
  readonly #valid: ClientIdentity;
  #expired: SecureContext | undefined;
  #isExpired = false;
  #version = 1;

  constructor(valid: ClientIdentity) {
    this.#valid = valid;
  }

  get version(): number {
    return this.#version;
  }

  /** From now on the node presents `context`. */
  expire(context: SecureContext | undefined): void {
    this.#expired = context;
    this.#isExpired = true;
    this.#version++;
  }

  /** The node has a valid certificate again. */
  restore(): void {
    if (!this.#isExpired) return;
    this.#isExpired = false;
    this.#expired = undefined;
    this.#version++;
  }

  headers(): IdentityHeaders {
    return this.#valid.headers();
  }

  secureContext(): SecureContext | undefined {
    return this.#isExpired ? this.#expired : this.#valid.secureContext();
  }

  renewalDue(): boolean {
    return false;
  }

  async renew(): Promise<void> {}

  rejected(): void {
    // Renewal is the storm's end, not an answer to the 401.
  }
}
