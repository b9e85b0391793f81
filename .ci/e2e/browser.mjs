// A headless Chromium with Chinese letters, from this machine or by apt-get.
import { createRequire } from 'node:module'
import { run } from '../process.mjs'
import { createPackages, findProgram } from '../programs.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const find = () => names.map(findProgram).find((path) => path !== undefined)

/** @param {string} toolFolder Where playwright-core is installed. */
export async function launchBrowser(toolFolder, say) {
  const packages = createPackages(say)
  const executablePath = find() ?? ((await packages.install('chromium')) ? find() : undefined)
  if (!executablePath) {
    throw new Error(
      `There is no ${names.join(' or ')} here. Install one, or run this as root with apt-get`,
    )
  }
  if (!(await hasChineseFont())) {
    await packages.install('fonts-noto-cjk', 'fonts-wqy-zenhei')
    if (!(await hasChineseFont())) say('THERE IS NO CHINESE FONT HERE: screenshots will show boxes')
  }

  const { chromium } = createRequire(`${toolFolder}/`)('playwright-core')
  const isRoot = process.getuid?.() === 0
  return chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] })
}

async function hasChineseFont() {
  if (!findProgram('fc-list')) return process.platform !== 'linux'
  const { output } = await run('fc-list', [':lang=zh'])
  return output.trim() !== ''
}
