import { CliError } from './errors.js'

/** Whether a host of a URL is this machine, so that what runs there reaches what is emulated here. */
export const isOnThisMachine = (hostname: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** The value of an option that is a path. Throws `usage` for what is none. */
export function readPath(option: string, path: string): string {
  if (/^\/[^\s?#]*$/.test(path)) return path
  throw new CliError('usage', {
    en: `--${option} ${path} is no path: give one like /wx, beginning with a slash`,
    zh: `--${option} ${path} 不是路径：应该像 /wx，以斜杠开头`,
  })
}
