/**
 * Mutual TLS 1.3 in which a peer is who its certificate's URI says, whatever its address: {@link
 * io.holdfast.agent.tls.TlsMaterial} loads keys and judges peers, {@link
 * io.holdfast.agent.tls.GrpcTls} makes gRPC servers and channels of it, {@link
 * io.holdfast.agent.tls.GrpcServerHost} lets several services share one port.
 */
@NullMarked
package io.holdfast.agent.tls;

import org.jspecify.annotations.NullMarked;
