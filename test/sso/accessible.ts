/** Whether everybody can use a page: axe looks at it, light and dark, and it must not be wider than the window. */

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** Nothing that a reader by ear, by keyboard or with weak eyes stumbles over, in both colours. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }
  const wider = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
  expect(wider).toBe(false);
}
