package io.holdfast.standard;

import java.util.List;

/**
 * An input or output identifier: {@code host:port?METHOD:params?location} (F27-F38). It says which
 * media agent does what, how, and where; a pair of them is a job. Stored identifiers are logical:
 * they always name the addresses of the local site.
 *
 * @param endpoint where the media agent listens
 * @param method what it does: {@code READ}, {@code WRITE}, ... ; methods are data, never an enum
 * @param params the details, in order
 * @param location path, database or tag; empty when there is none
 */
public record Identifier(Endpoint endpoint, String method, List<Param> params, String location) {
    /** Copies the list. */
    public Identifier {
        params = List.copyOf(params);
    }

    /** One detail of an operation. */
    public sealed interface Param {
        /** The value, unescaped. */
        String value();

        /** A value that means something by its place: {@code snap}, {@code Disk1}. */
        record Positional(String value) implements Param {}

        /** A value that means something by its key: {@code IP:10.10.11.45}. */
        record KeyValue(String key, String value) implements Param {}
    }

    /** The value of the first {@code key:value} parameter with this key (exact case), or empty. */
    public java.util.Optional<String> param(String key) {
        return params.stream()
                .filter(p -> p instanceof Param.KeyValue kv && kv.key().equals(key))
                .map(Param::value)
                .findFirst();
    }
}
