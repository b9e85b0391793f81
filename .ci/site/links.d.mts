export function checkLinks(folder: string): { pages: number; links: number }
