package io.holdfast.node.rest;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.ErrorView;
import io.holdfast.standard.FormatException;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.server.exceptions.ExceptionHandler;
import io.micronaut.http.server.exceptions.response.Error;
import io.micronaut.http.server.exceptions.response.ErrorContext;
import io.micronaut.http.server.exceptions.response.ErrorResponseProcessor;
import jakarta.inject.Singleton;
import java.util.stream.Collectors;

/** Gives every error, ours and Micronaut's own, the one form {@link ErrorView}. */
final class Errors {
    private Errors() {}

    /** Our refusals and failures, with the status of their kind. */
    @Singleton
    static final class OfApi implements ExceptionHandler<ApiException, HttpResponse<ErrorView>> {
        @Override
        @SuppressWarnings("rawtypes") // Micronaut's interface is so
        public HttpResponse<ErrorView> handle(HttpRequest request, ApiException exception) {
            return HttpResponse.<ErrorView>status(exception.kind().httpStatus(), "")
                    .body(exception.view());
        }
    }

    /** A text in the request that has not the form it should have. */
    @Singleton
    static final class OfFormat
            implements ExceptionHandler<FormatException, HttpResponse<ErrorView>> {
        @Override
        @SuppressWarnings("rawtypes") // Micronaut's interface is so
        public HttpResponse<ErrorView> handle(HttpRequest request, FormatException exception) {
            return HttpResponse.badRequest(
                    new ApiException(
                                    ApiException.Kind.USAGE,
                                    String.valueOf(exception.getMessage()),
                                    "Correct it and ask again.")
                            .view());
        }
    }

    /** What Micronaut finds itself: no such path, no JSON, a missing parameter, a bug. */
    @Singleton
    static final class OfMicronaut implements ErrorResponseProcessor<ErrorView> {
        @Override
        public MutableHttpResponse<ErrorView> processResponse(
                ErrorContext context, MutableHttpResponse<?> base) {
            int status = base.code();
            String what =
                    context.getErrors().stream()
                            .map(Error::getMessage)
                            .collect(Collectors.joining("; "));
            ApiException.Kind kind =
                    switch (status) {
                        case 404 -> ApiException.Kind.NOT_FOUND;
                        case 503 -> ApiException.Kind.UNAVAILABLE;
                        default ->
                                status < 500 ? ApiException.Kind.USAGE : ApiException.Kind.FAILED;
                    };
            String subject =
                    context.getRequest().getMethodName() + " " + context.getRequest().getPath();
            return base.contentType(MediaType.APPLICATION_JSON_TYPE)
                    .body(
                            new ApiException(
                                            kind,
                                            subject
                                                    + ": "
                                                    + (what.isEmpty() ? base.reason() : what),
                                            status < 500
                                                    ? "The API is described at"
                                                            + " /api/v1/openapi.yml."
                                                    : "See this node's log.")
                                    .view());
        }
    }
}
