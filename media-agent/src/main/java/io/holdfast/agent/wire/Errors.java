package io.holdfast.agent.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.holdfast.agent.epoch.StaleEpochException;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.chunk.StoreException;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.FormatException;
import java.security.cert.CertificateException;
import java.util.Locale;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Errors on the wire. A server's handler throws or sends {@link #status}; a client turns what it
 * catches into a {@link RemoteException} with {@link #of}.
 *
 * <table>
 * <caption>How a client reads a status</caption>
 * <tr><th>status</th><th>means</th></tr>
 * <tr><td>any, with an ErrorDetail</td><td>what the detail says: UNAVAILABLE is Unavailable, an
 * unknown code is Unknown, every other code is Refused</td></tr>
 * <tr><td>any, before the request left this process</td><td>Unavailable</td></tr>
 * <tr><td>caused by a certificate or TLS handshake</td><td>Refused, UNAUTHORIZED</td></tr>
 * <tr><td>UNIMPLEMENTED</td><td>Refused, WRONG_VERSION</td></tr>
 * <tr><td>UNAUTHENTICATED, PERMISSION_DENIED</td><td>Refused, UNAUTHORIZED</td></tr>
 * <tr><td>everything else: UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL, ...</td>
 * <td>Unknown: the request may have been done</td></tr>
 * </table>
 */
public final class Errors {
    /** The trailer that holds an {@link ErrorDetail}. */
    public static final Metadata.Key<byte[]> DETAIL =
            Metadata.Key.of("holdfast-error-bin", Metadata.BINARY_BYTE_MARSHALLER);

    /**
     * Set by this process's channels, never by a server: the request did not leave this process.
     * Anything of this name that came over the wire is removed.
     */
    static final Metadata.Key<String> NOT_SENT =
            Metadata.Key.of("holdfast-local-not-sent", Metadata.ASCII_STRING_MARSHALLER);

    private static final Logger log = LoggerFactory.getLogger(Errors.class);

    private Errors() {}

    /**
     * A status to throw or send from a handler.
     *
     * @param message what happened, to which thing
     * @param next what to do next; may be empty
     * @param maxEpoch with STALE_EPOCH: the highest epoch obeyed
     */
    public static StatusRuntimeException status(
            ErrorDetail.Code code, String message, String next, @Nullable Epoch maxEpoch) {
        ErrorDetail.Builder detail =
                ErrorDetail.newBuilder().setCode(code).setMessage(message).setNext(next);
        if (maxEpoch != null) {
            detail.setMaxEpoch(maxEpoch.encoded());
        }
        Metadata trailers = new Metadata();
        trailers.put(DETAIL, detail.build().toByteArray());
        return statusOf(code).withDescription(message).asRuntimeException(trailers);
    }

    /** {@link #status} with code REFUSED. */
    public static StatusRuntimeException refused(String message, String next) {
        return status(ErrorDetail.Code.REFUSED, message, next, null);
    }

    /**
     * The status for what a handler caught: stale epochs, malformed values, store errors. What it does
     * not know becomes UNKNOWN without detail, so that the caller reads it as Unknown.
     */
    public static StatusRuntimeException fromHandler(Throwable thrown) {
        return switch (thrown) {
            case StatusRuntimeException e -> e;
            case StatusException e ->
                    e.getStatus()
                            .asRuntimeException(
                                    e.getTrailers() == null ? new Metadata() : e.getTrailers());
            case StaleEpochException e ->
                    status(
                            ErrorDetail.Code.STALE_EPOCH,
                            messageOf(e),
                            "Ask a node of the cluster for the present epoch",
                            e.max());
            case FormatException e -> refused(messageOf(e), "Correct the request");
            case StoreException.Full e ->
                    status(
                            ErrorDetail.Code.FULL,
                            messageOf(e),
                            "Free space, then run the job again; nothing acknowledged is lost",
                            null);
            case StoreException.Missing e ->
                    status(ErrorDetail.Code.NOT_FOUND, messageOf(e), "", null);
            case StoreException.ReadOnly e -> refused(messageOf(e), "Write to the store itself");
            case StoreException.Corrupt e ->
                    status(
                            ErrorDetail.Code.CORRUPT,
                            messageOf(e),
                            "Repair it from the other site's storage",
                            null);
            default -> {
                log.warn("A handler failed in a way that its caller will read as unknown", thrown);
                yield Status.UNKNOWN
                        .withDescription(
                                thrown.getClass().getSimpleName() + ": " + messageOf(thrown))
                        .withCause(thrown)
                        .asRuntimeException();
            }
        };
    }

    /** What a failed call means to its caller. */
    public static RemoteException of(Throwable thrown) {
        if (thrown instanceof RemoteException already) {
            return already;
        }
        Status status;
        Metadata trailers;
        switch (thrown) {
            case StatusRuntimeException e -> {
                status = e.getStatus();
                trailers = e.getTrailers();
            }
            case StatusException e -> {
                status = e.getStatus();
                trailers = e.getTrailers();
            }
            default -> {
                return new RemoteException.Unknown(
                        "Outcome unknown: "
                                + thrown.getClass().getSimpleName()
                                + ": "
                                + messageOf(thrown),
                        thrown);
            }
        }
        return of(status, trailers, thrown);
    }

    /** What a call that closed with this status and these trailers means to its caller. */
    public static RemoteException of(
            Status status, @Nullable Metadata trailers, @Nullable Throwable cause) {
        byte[] encoded = trailers == null ? null : trailers.get(DETAIL);
        if (encoded != null) {
            RemoteException told = ofDetail(encoded, cause);
            if (told != null) {
                return told;
            }
        }
        RemoteException tls = ofTls(status.getCause(), cause);
        if (tls != null) {
            return tls;
        }
        String text = describe(status);
        if (trailers != null && trailers.containsKey(NOT_SENT)) {
            return RemoteException.Unavailable.notSent(text, cause);
        }
        return switch (status.getCode()) {
            case UNIMPLEMENTED ->
                    new RemoteException.Refused(
                            ErrorDetail.Code.WRONG_VERSION,
                            "The server does not know this call: " + text,
                            "Bring both programs to the same version",
                            null,
                            cause);
            case UNAUTHENTICATED, PERMISSION_DENIED ->
                    new RemoteException.Refused(
                            ErrorDetail.Code.UNAUTHORIZED, text, "", null, cause);
            default ->
                    new RemoteException.Unknown(
                            "Outcome unknown, the request may have been done: " + text, cause);
        };
    }

    private static @Nullable RemoteException ofDetail(byte[] encoded, @Nullable Throwable cause) {
        ErrorDetail detail;
        try {
            detail = ErrorDetail.parseFrom(encoded);
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
        return switch (detail.getCode()) {
            case UNAVAILABLE ->
                    new RemoteException.Unavailable(
                            detail.getNext().isEmpty()
                                    ? detail.getMessage()
                                    : detail.getMessage() + ". " + detail.getNext(),
                            cause);
            case CODE_UNSPECIFIED, UNRECOGNIZED ->
                    new RemoteException.Unknown(
                            "Outcome unknown, the server said: " + detail.getMessage(), cause);
            default ->
                    new RemoteException.Refused(
                            detail.getCode(),
                            detail.getMessage(),
                            detail.getNext(),
                            epochOf(detail),
                            cause);
        };
    }

    private static @Nullable Epoch epochOf(ErrorDetail detail) {
        if (detail.getMaxEpoch() == 0) {
            return null;
        }
        try {
            return Epoch.decode(detail.getMaxEpoch());
        } catch (FormatException e) {
            return null;
        }
    }

    /** Certificates are judged before any request leaves: what fails there was not done. */
    private static @Nullable RemoteException ofTls(
            @Nullable Throwable status, @Nullable Throwable cause) {
        SSLException alert = null;
        Throwable at = status;
        for (int depth = 0; at != null && depth < 16; depth++, at = at.getCause()) {
            if (at instanceof CertificateException refusal) {
                return new RemoteException.Refused(
                        ErrorDetail.Code.UNAUTHORIZED, messageOf(refusal), "", null, cause);
            }
            if (at instanceof SSLException ssl && alert == null) {
                alert = ssl;
            }
        }
        if (alert == null) {
            return null;
        }
        String text = messageOf(alert).toLowerCase(Locale.ROOT);
        boolean aboutCertificate =
                text.contains("certificate") || text.contains("unknown_ca") || text.contains(" ca");
        return aboutCertificate
                ? new RemoteException.Refused(
                        ErrorDetail.Code.UNAUTHORIZED,
                        "The server refused the certificate of this process ("
                                + messageOf(alert)
                                + ")",
                        "Check that it was issued by the same cluster and has not expired;"
                                + " the server's log says who and why",
                        null,
                        cause)
                : null;
    }

    private static String describe(Status status) {
        StringBuilder text = new StringBuilder(status.getCode().name());
        if (status.getDescription() != null) {
            text.append(": ").append(status.getDescription());
        }
        Throwable at = status.getCause();
        for (int depth = 0; at != null && depth < 4; depth++, at = at.getCause()) {
            if (at.getMessage() != null && text.indexOf(at.getMessage()) < 0) {
                text.append(": ").append(at.getMessage());
            }
        }
        return text.toString();
    }

    private static String messageOf(Throwable thrown) {
        return thrown.getMessage() == null ? thrown.toString() : thrown.getMessage();
    }

    private static Status statusOf(ErrorDetail.Code code) {
        return switch (code) {
            case STALE_EPOCH -> Status.FAILED_PRECONDITION;
            case REFUSED, WRONG_VERSION -> Status.INVALID_ARGUMENT;
            case NOT_FOUND -> Status.NOT_FOUND;
            case CORRUPT -> Status.DATA_LOSS;
            case FULL -> Status.RESOURCE_EXHAUSTED;
            case UNAVAILABLE -> Status.UNAVAILABLE;
            case UNAUTHORIZED, REHEARSAL -> Status.PERMISSION_DENIED;
            case CODE_UNSPECIFIED, UNRECOGNIZED -> Status.UNKNOWN;
        };
    }
}
