/** What is wrong with the configuration: every problem at once, for stderr and exit code 78 (sysexits EX_CONFIG). */

export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}
