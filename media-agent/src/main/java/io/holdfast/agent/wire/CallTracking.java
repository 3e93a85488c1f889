package io.holdfast.agent.wire;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.ForwardingClientCall;
import io.grpc.ForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Notes of every failed call whether its request can have left this process, so that {@link Errors}
 * tells Unavailable (certainly not done) from Unknown. Part of every channel of {@code GrpcTls}.
 */
public final class CallTracking implements ClientInterceptor {
    /** Has no state of its own. */
    public CallTracking() {}

    @Override
    public <A, B> ClientCall<A, B> interceptCall(
            MethodDescriptor<A, B> method, CallOptions options, Channel next) {
        AtomicBoolean sent = new AtomicBoolean();
        CallOptions traced =
                options.withStreamTracerFactory(
                        new ClientStreamTracer.Factory() {
                            @Override
                            public ClientStreamTracer newClientStreamTracer(
                                    ClientStreamTracer.StreamInfo info, Metadata headers) {
                                return new ClientStreamTracer() {
                                    @Override
                                    public void streamCreated(
                                            Attributes transport, Metadata sentHeaders) {
                                        sent.set(true);
                                    }
                                };
                            }
                        });
        return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, traced)) {
            @Override
            public void start(Listener<B> listener, Metadata headers) {
                super.start(
                        new ForwardingClientCallListener.SimpleForwardingClientCallListener<>(
                                listener) {
                            @Override
                            public void onClose(Status status, Metadata trailers) {
                                trailers.discardAll(Errors.NOT_SENT);
                                if (!status.isOk() && !sent.get()) {
                                    trailers.put(Errors.NOT_SENT, "1");
                                }
                                super.onClose(status, trailers);
                            }
                        },
                        headers);
            }
        };
    }
}
