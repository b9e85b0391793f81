export function findProgram(name: string): string | undefined

export interface Packages {
  install(...names: readonly string[]): Promise<boolean>
  offer(name: string): Promise<boolean>
}

export function createPackages(say: (message: string) => void): Packages
