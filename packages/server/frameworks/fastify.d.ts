export interface FastifyRequest {
  readonly id: string
}
