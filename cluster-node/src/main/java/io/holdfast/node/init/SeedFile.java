package io.holdfast.node.init;

import io.holdfast.standard.Json;
import io.holdfast.standard.JsonView;
import io.holdfast.standard.Resource;
import io.holdfast.standard.ResourceFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Resources as a file: what the very first leader of a cluster loads into the empty resource DB.
 *
 * <pre>{@code {"holdfastResources": 1, "resources": [ ... as ResourceFormat ... ]}}</pre>
 */
public final class SeedFile {
    private static final String VERSION = "holdfastResources";

    private SeedFile() {}

    /** The file's text. */
    public static String print(List<Resource> resources) {
        return Json.object()
                        .put(VERSION, 1)
                        .put(
                                "resources",
                                Json.array(resources.stream().map(ResourceFormat::toJson).toList()))
                        .build()
                        .pretty()
                + "\n";
    }

    /**
     * Reads a file.
     *
     * @throws io.holdfast.standard.FormatException with the place, for another version too
     */
    public static List<Resource> read(Path file) throws IOException {
        JsonView root = Json.parse(Files.readString(file)).view();
        if (root.intValue(VERSION) != 1) {
            throw root.get(VERSION).refuse("version 1");
        }
        return root.list("resources").stream().map(ResourceFormat::fromJson).toList();
    }
}
