"""A Celery worker or client that is instrumented: ROLE BROKER PREFIX COLLECTOR.

Spans go to the collector as protobuf, by a few lines of urllib: the exporter's own package would bring a client of its own.
"""

import sys
import urllib.request

from celery import Celery
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

role, broker, prefix, collector = sys.argv[1:]


class Exporter(SpanExporter):
    def export(self, spans):
        request = urllib.request.Request(
            collector + "/v1/traces",
            data=encode_spans(spans).SerializeToString(),
            headers={"content-type": "application/x-protobuf"},
        )
        urllib.request.urlopen(request, timeout=10).read()
        return SpanExportResult.SUCCESS


provider = TracerProvider(resource=Resource.create({"service.name": "python"}))
provider.add_span_processor(SimpleSpanProcessor(Exporter()))
trace.set_tracer_provider(provider)
CeleryInstrumentor().instrument()

app = Celery("traced", broker=broker, backend=broker)
app.conf.broker_transport_options = {"global_keyprefix": prefix}
app.conf.result_backend_transport_options = {"global_keyprefix": prefix}


@app.task(name="python.echo")
def echo(value):
    return value


if role == "worker":
    app.worker_main(["worker", "-P", "solo", "-Q", "python", "--loglevel", "warning", "--without-gossip", "--without-mingle"])
else:

    @app.task(name="add")
    def add(x, y):
        raise NotImplementedError("the other side has it")

    with trace.get_tracer("test").start_as_current_span("client") as span:
        result = add.delay(2, 3)
    print(format(span.get_span_context().trace_id, "032x"))
    assert result.get(timeout=20) == 5
