import { expect, it } from 'vitest';
import { returnPathOf } from '../../../src/sso/core/asked.ts';

it.each(['/sso', '/oidc/interaction/Vx3-_9', '/sso/session'])('a browser may be sent to %s', (path) => {
  expect(returnPathOf(path)).toBe(path);
});

it.each([
  ...[
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/sso//evil.example',
    '/sso/../admin',
    '/sso?x=1',
  ],
  ...['/ssox', '/api/v1/tenants', '/sso/%2f', `/sso/${'a'.repeat(101)}`, '', '/sso\n', ['/sso'], undefined],
])('and not to %s', (path) => {
  expect(returnPathOf(path)).toBeNull();
});
