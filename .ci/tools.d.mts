export function tool(
  title: string,
  packages: readonly string[],
  options: { about: string },
): Promise<string>
