import { defineConfig } from 'vite';
import { precompress } from './build/precompress.ts';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [precompress()],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // The policy is default-src 'self': nothing may become a data: address, no inline script may be needed.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: {
      // A file a page, and one for all that pages share: the default makes a request of each shared module.
      output: {
        codeSplitting: {
          groups: [{ name: 'app', test: /preact|src\/(?:components|lib|state|api|live|router|main)/ }],
        },
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3000' } },
});
