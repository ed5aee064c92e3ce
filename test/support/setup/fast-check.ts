import * as fc from 'fast-check';

/** The same random values in every run, so that a failure in CI is one everywhere; set XDPCTL_FUZZ_SEED to try others. */
fc.configureGlobal({ seed: Number(process.env['XDPCTL_FUZZ_SEED'] ?? 20_261_127) });
