// node pack-npm.cjs <folder of miniprogram-ci> <mini program>: packs npm dependencies both ways that Tencent's tool has,
// as DevTools does on “构建 npm”. The key is a dummy: one has to be there, packing neither reads it nor uses the network.
const { join } = require('node:path')

const [toolFolder, project] = process.argv.slice(2)
const ci = require(join(toolFolder, 'node_modules/miniprogram-ci'))

async function pack() {
  const warnings = await ci.packNpm(
    new ci.Project({
      appid: 'wx0000000000000000',
      type: 'miniProgram',
      projectPath: project,
      privateKey: 'dummy',
      ignores: ['node_modules/**/*'],
    }),
    { reporter: () => undefined },
  )
  const manually = await ci.packNpmManually({
    packageJsonPath: join(project, 'package.json'),
    miniprogramNpmDistDir: join(project, 'manually'),
  })
  const all = [...warnings, ...manually.warnList]
  if (all.length > 0) throw new Error(`packed with warnings: ${JSON.stringify(all, null, 2)}`)
}

pack().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
