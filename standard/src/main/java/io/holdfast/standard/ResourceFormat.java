package io.holdfast.standard;

/** Resources as JSON. */
public final class ResourceFormat {
    private ResourceFormat() {}

    /** The JSON form. */
    public static Json toJson(Resource resource) {
        throw new UnsupportedOperationException("not built yet");
    }

    /** Reads the JSON form. @throws FormatException naming the key path */
    public static Resource fromJson(Json json) {
        throw new UnsupportedOperationException("not built yet");
    }
}
