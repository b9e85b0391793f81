import { defineConfig } from '@tarojs/cli'

export default defineConfig({
  projectName: 'wxlogin-example-taro',
  designWidth: 750,
  deviceRatio: { 750: 1 },
  sourceRoot: 'src',
  outputRoot: 'dist',
  framework: 'react',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
})
