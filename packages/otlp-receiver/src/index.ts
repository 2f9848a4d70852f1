export { startOtlpReceiver, type OtlpReceiver, type OtlpReceiverOptions } from './start-otlp-receiver.ts';
export {
  type ReceivedEvent,
  type ReceivedLink,
  type ReceivedSpan,
  type SpanKindName,
  type SpanStatusName,
} from './received-spans.ts';
export { type MetricType, type ReceivedMetric, type ReceivedPoint } from './received-metrics.ts';
export { type Origin } from './received-scope.ts';
export { type Attributes, type AttributeValue } from './json-reader.ts';
