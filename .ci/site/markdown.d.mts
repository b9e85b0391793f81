export function hrefOnSite(href: string, source: string): string
export function slugify(heading: string): string
