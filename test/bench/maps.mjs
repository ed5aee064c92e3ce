/** Makes pinned maps with many entries faster than any command could. */
import { closeSync, rmSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';

import koffi from 'koffi';

import { device } from './device.mjs';

const libbpf = koffi.load('libbpf.so.1');
const createMap = libbpf.func('bpf_map_create', 'int', ['int', 'str', 'uint32_t', 'uint32_t', 'uint32_t', 'void *']);
const updateBatch = libbpf.func('bpf_map_update_batch', 'int', ['int', 'void *', 'void *', 'void *', 'void *']);
const update = libbpf.func('bpf_map_update_elem', 'int', ['int', 'void *', 'void *', 'uint64_t']);
const pin = libbpf.func('bpf_obj_pin', 'int', ['int', 'str']);

/** enum bpf_map_type (linux/bpf.h), with the value size used here. */
const types = {
  hash: { number: 1, valueSize: 4 },
  devmap: { number: 14, valueSize: 8 },
  devmap_hash: { number: 25, valueSize: 8 },
};

/** libbpf's functions give 0 or a descriptor, or a negative errno. */
function check(result, what) {
  if (result < 0) throw new Error(`${what}: ${getSystemErrorName(result)}`);
  return result;
}

/**
 * Makes an empty map with 4-byte keys, lets `fill` write to its descriptor, and pins it in the place of an earlier one.
 *
 * @returns {string} the path of the pin
 */
function pinnedMap(name, type, entries, fill = () => {}) {
  const path = `/sys/fs/bpf/${name}`;
  const fd = check(createMap(types[type].number, name, 4, types[type].valueSize, entries, null), 'map create');
  try {
    fill(fd);
    rmSync(path, { force: true });
    check(pin(fd, path), 'map pin');
  } finally {
    closeSync(fd);
  }
  return path;
}

/** A full hash with 4-byte values. */
export function fullHash(name, entries) {
  return pinnedMap(name, 'hash', entries, (fd) => {
    const keys = Uint32Array.from({ length: entries }, (_, index) => index);
    const values = Uint32Array.from(keys, (key) => Math.imul(key, 2_654_435_761));
    check(updateBatch(fd, keys, values, new Uint32Array([entries]), null), 'map update');
  });
}

/** A devmap in which `occupied` slots, evenly spread, lead to one device. */
export function sparseDevmap(name, entries, occupied) {
  return pinnedMap(name, 'devmap', entries, (fd) => {
    const key = new Uint32Array(1);
    const value = new Uint32Array([device().ifindex, 0]);
    for (let index = 0; index < occupied; index += 1) {
      key[0] = Math.floor((index * entries) / occupied);
      check(update(fd, key, value, 0), 'map update');
    }
  });
}

/** @param {'devmap' | 'devmap_hash'} type */
export function emptyMap(name, type, entries) {
  return pinnedMap(name, type, entries);
}
