// VitePress takes a page's language from the folder of its file, and here it stands in the ending: `x.zh-CN.md`. So it gets
// the files laid out as it wants them.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { docsFolder, filesBelow, stagedFolder, stagedOf } from './places.mjs'

// GitHub needs a link to the other language; the site has a switch.
const languageLine = /^(?:English \| \[简体中文\]\([^)]*\)|\[English\]\([^)]*\) \| 简体中文)\n\n?/m

/** Lays out all files of docs/, and says how many pages there are. */
export function stage() {
  rmSync(stagedFolder, { recursive: true, force: true })
  const files = filesBelow(docsFolder).filter((file) => !file.startsWith('public/'))
  for (const file of files) stageFile(file)
  return files.filter((file) => file.endsWith('.md')).length
}

/** Does the same for what is written from now on. */
export function stageWhatChanges() {
  watch(docsFolder, { recursive: true }, (_event, name) => {
    const file = name?.replaceAll('\\', '/')
    if (!file || /(?:^|\/)\./.test(file) || file.startsWith('public/')) return
    if (existsSync(join(docsFolder, file))) stageFile(file)
    else rmSync(join(stagedFolder, stagedOf(file)), { force: true })
  })
}

function stageFile(file) {
  const target = join(stagedFolder, stagedOf(file))
  mkdirSync(dirname(target), { recursive: true })
  if (!file.endsWith('.md')) return cpSync(join(docsFolder, file), target)
  writeFileSync(target, readFileSync(join(docsFolder, file), 'utf8').replace(languageLine, ''))
}
