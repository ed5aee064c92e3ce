/**
 * Reads entry 0 of a pinned map again and again until it is killed: while a process is in that system call, the kernel runs
 * no program on a classic tracepoint on its CPU (bpf_disable_instrumentation()).
 *
 *     node test/bench/drops/read-map.mjs PIN
 */
import koffi from 'koffi';

const libbpf = koffi.load('libbpf.so.1');
const get = libbpf.func('bpf_obj_get', 'int', ['str']);
const lookup = libbpf.func('bpf_map_lookup_elem', 'int', ['int', 'void *', 'void *']);

const fd = get(process.argv[2]);
if (fd < 0) throw new Error(`bpf_obj_get: ${fd}`);
const [key, value] = [new Uint8Array(4), new Uint8Array(64)];
console.error('ready: reading');
for (;;) lookup(fd, key, value);
