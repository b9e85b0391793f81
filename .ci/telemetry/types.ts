// Compiled beside the real API.
import * as api from '@opentelemetry/api'
import { createAuth } from '@wxlogin/server'
import { createTelemetry, type Telemetry } from '@wxlogin/server/telemetry'

const { metrics, trace } = api
export const telemetry: Telemetry = createTelemetry({ metrics, trace })
export const auth = createAuth({ apps: [], secret: '', onEvent: telemetry.onEvent })
telemetry.observe(auth)
createTelemetry({ metrics })
createTelemetry({ trace })
// @ts-expect-error the context is found by the API itself
createTelemetry({ metrics, context: api.context })
