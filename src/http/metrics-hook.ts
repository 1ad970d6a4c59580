/** Figures for Prometheus: how long requests take, by route and status, and what the process uses. */

import type { FastifyInstance } from 'fastify';
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  Histogram,
  type Registry,
  type RegistryContentType,
} from 'prom-client';

export interface Metrics {
  contentType: string;
  /** Prometheus text format. */
  text(): Promise<string>;
  /** Where other figures of this process are to be put. */
  registry: Registry<RegistryContentType>;
}

const buckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param ofAll Figures of all HTTP processes, where this is one of several. */
export function installMetrics(app: FastifyInstance, ofAll?: () => Promise<string>): Metrics {
  const registry = new AggregatorRegistry();
  AggregatorRegistry.setRegistries(registry);
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    // The pattern, not the path: ids must not become labels.
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    durations.observe(labels, reply.elapsedTime / 1000);
  });
  return { contentType: registry.contentType, text: ofAll ?? (() => registry.metrics()), registry };
}
