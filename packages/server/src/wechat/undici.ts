type Undici = typeof import('undici')

/** Absent on Cloudflare Workers, where undici cannot run: there package.json puts `no-undici` in the place of this file. */
export const loadUndici: (() => Promise<Undici>) | undefined = () => import('undici')
