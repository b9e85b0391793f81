import { createSSRApp } from 'vue'
import App from './App.vue'

// Called by uni-app, under this name.
export function createApp() {
  return { app: createSSRApp(App) }
}
