import { createWorld, type End, type World } from './world.ts';

/**
 * A sender, a router with two interfaces, and a receiver, each in a namespace of its own:
 *
 *     source ── ingress │ egress ── sink
 *
 * What is redirected from ingress to egress arrives at sink.
 */
export interface PathWorld extends Disposable {
  readonly world: World;
  /** Name of the router's namespace. */
  readonly router: string;
  readonly source: End;
  readonly ingress: End;
  readonly egress: End;
  readonly sink: End;
}

/** @returns for `using` */
export function createPathWorld(): PathWorld {
  const world = createWorld();
  try {
    const [left, router, right] = [world.namespace(), world.namespace(), world.namespace()];
    const { a: source, b: ingress } = world.veth({ namespace: left }, { namespace: router });
    // GRO makes a veth poll with NAPI, without which frames cannot be redirected to its peer.
    const { a: egress, b: sink } = world.veth({ namespace: router }, { namespace: right, gro: true });
    return { world, router, source, ingress, egress, sink, [Symbol.dispose]: () => world[Symbol.dispose]() };
  } catch (error) {
    world[Symbol.dispose]();
    throw error;
  }
}
