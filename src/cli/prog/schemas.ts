import { xdpActionNames } from '../../domain/xdp-action.ts';
import { arrayOf, count, dryRunSchema, type JsonSchema, objectOf, silentSchema, text, wide } from '../json-schema.ts';

const holder = objectOf({ pid: count('of the process'), comm: text('its name') });

const program = objectOf({
  id: count("the program's id"),
  type: { type: ['string', 'integer'], description: 'xdp, tracing, …; a number when it is newer than this xdpctl' },
  'name?': text('absent when the program has none; at most 15 characters'),
  tag: { type: 'string', pattern: '^[0-9a-f]{16}$', description: 'hash of its instructions' },
  gpl_compatible: { type: 'boolean', description: 'whether its license is' },
  'run_time_ns?': wide('nanoseconds it has run; only where the kernel counts'),
  'run_cnt?': wide('how often it has run'),
  'recursion_misses?': wide('how often it was left out because it was running already'),
  'dev?': objectOf({ ifindex: count('') }, 'the device it was loaded for'),
  loaded_at: count('when it was loaded, in seconds since 1970'),
  uid: count('of the user who loaded it'),
  bytes_xlated: count('size of its instructions; 0 where the kernel does not show them'),
  jited: { type: 'boolean', description: 'whether it is machine code' },
  'bytes_jited?': count('size of the machine code'),
  'bytes_memlock?': count('memory it takes'),
  'map_ids?': arrayOf({ type: 'integer' }, 'the maps it uses; absent when it uses none'),
  'btf_id?': count('BTF object that describes it'),
  'pinned?': arrayOf({ type: 'string' }, 'paths of its pins; only for one program, or with --bpffs'),
  'pids?': arrayOf(holder, 'who holds it open; only for one program, or with --bpffs'),
});

/** What the verbs of `prog` print with -j. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  show: {
    anyOf: [
      { title: 'without PROG', ...arrayOf(program) },
      { title: 'with PROG', ...program },
    ],
  },
  load: silentSchema,
  loadall: silentSchema,
  pin: silentSchema,
  unpin: silentSchema,
  run: {
    anyOf: [
      {
        title: 'a run',
        ...objectOf({
          'data_out?': arrayOf({ type: 'integer' }, 'the bytes of the frame as the program left it; for data_out -'),
          'ctx_out?': arrayOf({ type: 'integer' }, 'the bytes of the context; for ctx_out -'),
          retval: count('what the program returned'),
          'action?': {
            enum: xdpActionNames.map((name) => `XDP_${name}`),
            description: 'the name of that, where it is an XDP action',
          },
          duration: count('nanoseconds, on average'),
        }),
      },
      { title: 'with --dry-run', ...dryRunSchema },
    ],
  },
};
