import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// The page at the door is in public/ and goes out as it is: it must work without script. The desk is one page, so that no
// change of view ever ends a call.
export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: '../build/web',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the page's policy lets nothing in but files of our own
    modulePreload: { polyfill: false },
    rollupOptions: { input: 'desk/index.html' },
  },
})
