import * as fc from 'fast-check';

/** The same random values in every run: what fails in CI fails everywhere. Set XDPCTL_FUZZ_SEED to try others. */
fc.configureGlobal({ seed: Number(process.env['XDPCTL_FUZZ_SEED'] ?? 20_261_127) });
