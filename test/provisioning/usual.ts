/** The usual run looks at the same histories each time, so that it fails for what was changed; with FUZZ_RUNS others are looked for. */
export const usual = process.env.FUZZ_RUNS === undefined ? { seed: 1 } : {};
