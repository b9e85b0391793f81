import { defineConfig } from '@tarojs/cli'

export default defineConfig({
  projectName: 'wxlogin-example-taro',
  designWidth: 750,
  deviceRatio: { 750: 1 },
  sourceRoot: 'src',
  framework: 'react',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
  // One folder a platform.
  outputRoot: process.env.TARO_ENV === 'h5' ? 'dist-h5' : 'dist',
  h5: { publicPath: '/', router: { mode: 'hash' } },
})
