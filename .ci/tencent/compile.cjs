// node compile.cjs <folder of miniprogram-ci> <mini program> <where to>: compiles as an upload does, and writes what
// Tencent would get. The key is a dummy, and the attributes that the tool would ask Tencent for are given: no network.
const { mkdirSync, writeFileSync } = require('node:fs')
const { dirname, join } = require('node:path')

const [toolFolder, projectPath, output] = process.argv.slice(2)
const ci = require(join(toolFolder, 'node_modules/miniprogram-ci'))

const attributes = {
  platform: false,
  appType: 0,
  isSandbox: false,
  released: false,
  setting: {
    MaxCodeSize: 2,
    MaxSubpackageSubCodeSize: 2,
    MaxSubpackageFullCodeSize: 20,
    NavigateMiniprogramLimit: 10,
    MaxTabbarCount: 5,
    MinTabbarCount: 2,
    MaxTabbarIconSize: 40,
    MaxSubPackageLimit: 100,
  },
}

async function compile() {
  const files = await ci.getCompiledResult({
    project: new ci.Project({
      appid: 'wx0000000000000000',
      type: 'miniProgram',
      projectPath,
      privateKey: 'dummy',
      attr: async () => attributes,
    }),
    setting: { es6: true, es7: true, minify: false },
  })
  for (const [name, content] of Object.entries(files)) {
    const file = join(output, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

compile().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
