// Stands in for undici where package.json says so: on Cloudflare Workers the global `fetch` is all there is.
export {}
