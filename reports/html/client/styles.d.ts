/** Style sheets are bundled by esbuild; importing one gives nothing but the style. */
declare module '*.css';
