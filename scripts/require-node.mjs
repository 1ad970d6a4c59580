/** Loaded before anything else: says what to do where the runtime is too old to read the code. Runs on any Node. */

const oldest = 24;
if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `Blue Gateway needs Node ${oldest} or newer, this is ${process.versions.node}. ` +
      'On Linux x64 and arm64 "npm ci" brings it along: install without --omit=optional, or put a newer Node in the path.\n',
  );
  process.exit(78);
}
