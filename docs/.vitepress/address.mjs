// Where the site and the repository are: said once, in the package.json of the workspace.
import { readFileSync } from 'node:fs'

const { homepage, repository: repositoryUrl } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
)

/** With a slash at its end. */
export const site = homepage

/** The site's path on its host, with a slash at both ends. */
export const base = new URL(site).pathname

export const repository = repositoryUrl

/** The address of a file or folder of the repository. */
export function inRepository(path, { isFolder = false } = {}) {
  return `${repository}/${isFolder ? 'tree' : 'blob'}/main/${path}`
}
