export function tokensOfPage(text: string): string[]
export function tokensOfQuery(text: string): string[]
