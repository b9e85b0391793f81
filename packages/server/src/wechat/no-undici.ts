/** On Cloudflare Workers the global `fetch` is all there is. */
export const loadUndici = undefined
