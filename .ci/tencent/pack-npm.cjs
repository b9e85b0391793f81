// node pack-npm.cjs <folder of miniprogram-ci> <mini program> [<other folder>]: packs npm dependencies as DevTools does on
// “构建 npm”, and into the other folder as it does with `packNpmManually`. The key is a dummy: one has to be there, packing
// neither reads it nor uses the network.
const { join } = require('node:path')

const [toolFolder, project, otherFolder] = process.argv.slice(2)
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
  const manually =
    otherFolder &&
    (await ci.packNpmManually({
      packageJsonPath: join(project, 'package.json'),
      miniprogramNpmDistDir: otherFolder,
    }))
  const all = [...warnings, ...(manually ? manually.warnList : [])]
  if (all.length > 0) throw new Error(`packed with warnings: ${JSON.stringify(all, null, 2)}`)
}

pack().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
