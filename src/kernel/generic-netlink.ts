import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import {
  decodeAttributes,
  encodeAttributes,
  encodeString,
  type NetlinkAttribute,
  type NetlinkMessage,
} from '../domain/netlink-message.ts';
import { ENOENT } from './check.ts';
import { NETLINK_GENERIC, NetlinkSocket } from './netlink.ts';

/** The controller, which knows the numbers of the families (linux/genetlink.h). */
const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;

/** sizeof(struct genlmsghdr): command, version, reserved. */
const GENLMSGHDR = 4;

/** A family of generic netlink, e.g. `netdev`, in the network namespace in which it was opened. */
export class GenericNetlink implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #family: number;
  readonly #name: string;

  private constructor(socket: NetlinkSocket, name: string, family: number) {
    this.#socket = socket;
    this.#name = name;
    this.#family = family;
  }

  /**
   * Undefined when this kernel has no family of that name.
   *
   * @throws KernelRefusal `netlink socket`, `genl family`
   */
  static open(name: string): GenericNetlink | undefined {
    const socket = new NetlinkSocket(NETLINK_GENERIC);
    try {
      const family = familyId(socket, name);
      if (family !== undefined) return new GenericNetlink(socket, name, family);
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
    socket[Symbol.dispose]();
    return undefined;
  }

  /** @throws KernelRefusal `genl NAME` */
  get(command: number, attributes: readonly NetlinkAttribute[]): ReadonlyMap<number, Uint8Array>[] {
    return this.#socket.get(this.#family, encode(command, attributes), this.#purpose(command)).map(decode);
  }

  /** @throws KernelRefusal `genl NAME` */
  dump(command: number, attributes: readonly NetlinkAttribute[] = []): ReadonlyMap<number, Uint8Array>[] {
    return this.#socket.dump(this.#family, encode(command, attributes), this.#purpose(command)).map(decode);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #purpose(command: number): { readonly operation: string; readonly facts: { readonly command: number } } {
    return { operation: `genl ${this.#name}`, facts: { command } };
  }
}

function familyId(socket: NetlinkSocket, name: string): number | undefined {
  const body = encode(CTRL_CMD_GETFAMILY, [{ type: CTRL_ATTR_FAMILY_NAME, payload: encodeString(name) }]);
  try {
    const [message] = socket.get(GENL_ID_CTRL, body, { operation: 'genl family', facts: { family: name } });
    const id = message === undefined ? undefined : decode(message).get(CTRL_ATTR_FAMILY_ID);
    return id === undefined || id.length < 2
      ? undefined
      : new DataView(id.buffer, id.byteOffset).getUint16(0, littleEndian);
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === ENOENT) return undefined;
    throw error;
  }
}

function encode(command: number, attributes: readonly NetlinkAttribute[]): Uint8Array {
  const rest = encodeAttributes(attributes);
  const body = new Uint8Array(GENLMSGHDR + rest.length);
  body[0] = command;
  body[1] = 1;
  body.set(rest, GENLMSGHDR);
  return body;
}

function decode({ body }: NetlinkMessage): ReadonlyMap<number, Uint8Array> {
  return decodeAttributes(body.subarray(GENLMSGHDR));
}
