import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    isolate: false,
    testTimeout: 20_000,
    // What one test reads of a bucket is not to be remembered by another, nor by whoever runs the tests.
    env: { XDG_CACHE_HOME: '/dev/null' },
    coverage: {
      provider: 'v8',
      include: ['src/checks/**'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
