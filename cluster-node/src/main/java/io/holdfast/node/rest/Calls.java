package io.holdfast.node.rest;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Caller;
import io.micronaut.http.HttpRequest;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What every controller does: bind the caller, and check what must be there. */
final class Calls {
    private Calls() {}

    /** Calls with the request's peer as the current caller. */
    static <T> T as(HttpRequest<?> request, Supplier<T> call) {
        return ScopedValue.where(Caller.CURRENT, PeerFilter.caller(request)).call(call::get);
    }

    /** A field of a body, which a client may have left out. */
    static <T> T required(String field, @Nullable T value) {
        return Optional.ofNullable(value)
                .orElseThrow(() ->
                        new ApiException(
                                ApiException.Kind.USAGE,
                                "The field '" + field + "' is missing in the request.",
                                "The API is described at /api/v1/openapi.yml."));
    }

    /** The identity in a path. */
    static UUID uuid(String what, String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw new ApiException(
                    ApiException.Kind.USAGE,
                    "'" + text + "' is not the id of a " + what + ".",
                    "Expected a UUID.",
                    null,
                    null,
                    e);
        }
    }
}
