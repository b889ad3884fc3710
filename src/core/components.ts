/**
 * Things that are started and stopped together, in an order that matters.
 *
 * start() goes through the list in order and, if one fails, stops what had started, in reverse. stop() goes through
 * the list in reverse, tries every one, and throws what failed as one AggregateError. Both are idempotent.
 */

export interface Component {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

export class ComponentGroup implements Component, AsyncDisposable {
  readonly name: string;
  readonly #started: Component[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Starts `components` one after the other, after those started before. */
  async start(signal: AbortSignal, ...components: readonly Component[]): Promise<void> {
    try {
      for (const component of components) {
        signal.throwIfAborted();
        // Remembered before it starts: a component that fails half-way is stopped like the rest.
        this.#started.push(component);
        await component.start(signal);
      }
    } catch (error) {
      await this.stop().catch((stopError: unknown) => {
        throw new AggregateError([error, stopError], `${this.name}: start failed, and so did undoing it`);
      });
      throw error;
    }
  }

  async stop(): Promise<void> {
    const errors: unknown[] = [];
    for (let component = this.#started.pop(); component !== undefined; component = this.#started.pop()) {
      try {
        await component.stop();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1)
      throw new AggregateError(errors, `${this.name}: ${errors.length} components failed to stop`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
