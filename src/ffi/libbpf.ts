import { bindLibrary, type Signature } from './koffi.ts';

/** A C pointer as koffi hands it out: opaque, null when C says NULL. */
export type Pointer = object | bigint | null;

/**
 * The functions of libbpf >= 1.0 (libbpf.so.1) that xdpctl calls, in C's own names and order.
 * Functions that return int give 0 or a descriptor, or a negative errno; those that return a pointer give null
 * and leave the reason in errno (`lastErrno`). Byte arguments are caller-owned buffers in the kernel's layout.
 */
export interface Libbpf {
  libbpf_version_string(): string;
  libbpf_set_print(callback: Pointer): Pointer;

  bpf_map_create(
    type: number,
    name: string | null,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    options: Uint8Array | null,
  ): number;
  bpf_map_update_elem(fd: number, key: Uint8Array | null, value: Uint8Array, flags: number): number;
  bpf_map_lookup_elem(fd: number, key: Uint8Array | bigint | null, value: Uint8Array | bigint): number;
  bpf_map_delete_elem(fd: number, key: Uint8Array): number;
  bpf_map_get_next_key(fd: number, key: Uint8Array | null, next: Uint8Array): number;
  bpf_map_freeze(fd: number): number;
  bpf_map_lookup_batch(
    fd: number,
    inBatch: Uint8Array | null,
    outBatch: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint32Array,
    options: Uint8Array | null,
  ): number;

  bpf_obj_get(path: string | Uint8Array): number;
  bpf_obj_pin(fd: number, path: string | Uint8Array): number;
  bpf_obj_get_info_by_fd(fd: number, info: Uint8Array, length: Uint32Array): number;
  bpf_map_get_next_id(start: number, next: Uint32Array): number;
  bpf_map_get_fd_by_id(id: number): number;
  bpf_prog_get_next_id(start: number, next: Uint32Array): number;
  bpf_prog_get_fd_by_id(id: number): number;
  bpf_link_get_next_id(start: number, next: Uint32Array): number;
  bpf_link_get_fd_by_id(id: number): number;
  bpf_btf_get_fd_by_id(id: number): number;
  bpf_link_detach(fd: number): number;

  bpf_prog_load(
    type: number,
    name: string | null,
    license: string,
    instructions: Uint8Array,
    count: number,
    options: Uint8Array | null,
  ): number;
  bpf_prog_test_run_opts(fd: number, options: Uint8Array): number;
  bpf_link_create(progFd: number, target: number, attachType: number, options: Uint8Array | null): number;
  bpf_link_update(linkFd: number, newProgFd: number, options: Uint8Array | null): number;

  bpf_xdp_attach(ifindex: number, progFd: number, flags: number, options: Uint8Array | null): number;
  bpf_xdp_detach(ifindex: number, flags: number, options: Uint8Array | null): number;
  bpf_xdp_query(ifindex: number, flags: number, options: Uint8Array): number;

  libbpf_prog_type_by_name(section: string, type: Uint32Array, attachType: Uint32Array): number;
  bpf_object__open_file(path: string, options: Uint8Array | null): Pointer;
  bpf_object__open_mem(bytes: Uint8Array, size: number, options: Uint8Array | null): Pointer;
  bpf_object__load(object: Pointer): number;
  bpf_object__close(object: Pointer): void;
  bpf_object__find_map_by_name(object: Pointer, name: string): Pointer;
  bpf_object__find_program_by_name(object: Pointer, name: string): Pointer;
  bpf_object__next_map(object: Pointer, previous: Pointer): Pointer;
  bpf_object__next_program(object: Pointer, previous: Pointer): Pointer;
  bpf_map__name(map: Pointer): string;
  bpf_map__fd(map: Pointer): number;
  bpf_map__type(map: Pointer): number;
  bpf_map__max_entries(map: Pointer): number;
  bpf_map__set_max_entries(map: Pointer, entries: number): number;
  bpf_map__set_value_size(map: Pointer, bytes: number): number;
  bpf_map__initial_value(map: Pointer, size: BigUint64Array): Pointer;
  bpf_map__set_initial_value(map: Pointer, bytes: Uint8Array, size: number): number;
  bpf_map__key_size(map: Pointer): number;
  bpf_map__value_size(map: Pointer): number;
  bpf_map__pin_path(map: Pointer): string | null;
  bpf_map__set_pin_path(map: Pointer, path: string | null): number;
  bpf_map__set_autocreate(map: Pointer, enabled: boolean): number;
  bpf_map__reuse_fd(map: Pointer, fd: number): number;
  bpf_program__name(program: Pointer): string;
  bpf_program__section_name(program: Pointer): string;
  bpf_program__fd(program: Pointer): number;
  bpf_program__type(program: Pointer): number;
  bpf_program__set_type(program: Pointer, type: number): number;
  bpf_program__set_autoload(program: Pointer, enabled: boolean): number;
  bpf_program__expected_attach_type(program: Pointer): number;
  bpf_program__set_expected_attach_type(program: Pointer, type: number): number;
  bpf_program__flags(program: Pointer): number;
  bpf_program__set_flags(program: Pointer, flags: number): number;
  bpf_program__set_log_level(program: Pointer, level: number): number;
  bpf_program__set_log_buf(program: Pointer, buffer: Uint8Array, size: number): number;
  bpf_program__attach(program: Pointer): Pointer;
  bpf_link__destroy(link: Pointer): number;
  bpf_raw_tracepoint_open(name: string | null, progFd: number): number;
}

const int = 'int';
const u32 = 'uint32_t';
const u64 = 'uint64_t';
const size = 'size_t';
const str = 'str';
const ptr = 'void *';

/** Nothing here is younger than libbpf 1.0, so that every libbpf.so.1 has it (test/kernel/libbpf-functions.test.ts). */
export const libbpfSignatures: Readonly<Record<keyof Libbpf, Signature>> = {
  libbpf_version_string: [str, []],
  libbpf_set_print: [ptr, [ptr]],

  bpf_map_create: [int, [int, str, u32, u32, u32, ptr]],
  bpf_map_update_elem: [int, [int, ptr, ptr, u64]],
  bpf_map_lookup_elem: [int, [int, ptr, ptr]],
  bpf_map_delete_elem: [int, [int, ptr]],
  bpf_map_get_next_key: [int, [int, ptr, ptr]],
  bpf_map_freeze: [int, [int]],
  bpf_map_lookup_batch: [int, [int, ptr, ptr, ptr, ptr, ptr, ptr]],

  bpf_obj_get: [int, [str]],
  bpf_obj_pin: [int, [int, str]],
  bpf_obj_get_info_by_fd: [int, [int, ptr, ptr]],
  bpf_map_get_next_id: [int, [u32, ptr]],
  bpf_map_get_fd_by_id: [int, [u32]],
  bpf_prog_get_next_id: [int, [u32, ptr]],
  bpf_prog_get_fd_by_id: [int, [u32]],
  bpf_link_get_next_id: [int, [u32, ptr]],
  bpf_link_get_fd_by_id: [int, [u32]],
  bpf_btf_get_fd_by_id: [int, [u32]],
  bpf_link_detach: [int, [int]],

  bpf_prog_load: [int, [int, str, str, ptr, size, ptr]],
  bpf_prog_test_run_opts: [int, [int, ptr]],
  bpf_link_create: [int, [int, int, int, ptr]],
  bpf_link_update: [int, [int, int, ptr]],

  bpf_xdp_attach: [int, [int, int, u32, ptr]],
  bpf_xdp_detach: [int, [int, u32, ptr]],
  bpf_xdp_query: [int, [int, int, ptr]],

  libbpf_prog_type_by_name: [int, [str, ptr, ptr]],
  bpf_object__open_file: [ptr, [str, ptr]],
  bpf_object__open_mem: [ptr, [ptr, size, ptr]],
  bpf_object__load: [int, [ptr]],
  bpf_object__close: ['void', [ptr]],
  bpf_object__find_map_by_name: [ptr, [ptr, str]],
  bpf_object__find_program_by_name: [ptr, [ptr, str]],
  bpf_object__next_map: [ptr, [ptr, ptr]],
  bpf_object__next_program: [ptr, [ptr, ptr]],
  bpf_map__name: [str, [ptr]],
  bpf_map__fd: [int, [ptr]],
  bpf_map__type: [int, [ptr]],
  bpf_map__max_entries: [u32, [ptr]],
  bpf_map__set_max_entries: [int, [ptr, u32]],
  bpf_map__set_value_size: [int, [ptr, u32]],
  bpf_map__initial_value: [ptr, [ptr, ptr]],
  bpf_map__set_initial_value: [int, [ptr, ptr, size]],
  bpf_map__key_size: [u32, [ptr]],
  bpf_map__value_size: [u32, [ptr]],
  bpf_map__pin_path: [str, [ptr]],
  bpf_map__set_pin_path: [int, [ptr, str]],
  bpf_map__set_autocreate: [int, [ptr, 'bool']],
  bpf_map__reuse_fd: [int, [ptr, int]],
  bpf_program__name: [str, [ptr]],
  bpf_program__section_name: [str, [ptr]],
  bpf_program__fd: [int, [ptr]],
  bpf_program__type: [int, [ptr]],
  bpf_program__set_type: [int, [ptr, int]],
  bpf_program__set_autoload: [int, [ptr, 'bool']],
  bpf_program__expected_attach_type: [int, [ptr]],
  bpf_program__set_expected_attach_type: [int, [ptr, int]],
  bpf_program__flags: [u32, [ptr]],
  bpf_program__set_flags: [int, [ptr, u32]],
  bpf_program__set_log_level: [int, [ptr, u32]],
  bpf_program__set_log_buf: [int, [ptr, ptr, size]],
  bpf_program__attach: [ptr, [ptr]],
  bpf_link__destroy: [int, [ptr]],
  bpf_raw_tracepoint_open: [int, [str, int]],
};

export const libbpf = bindLibrary<Libbpf>('libbpf.so.1', libbpfSignatures);
