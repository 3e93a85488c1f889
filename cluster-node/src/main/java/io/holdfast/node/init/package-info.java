/** Creates a cluster's files: certificates, MBR, nodes, operator context, seed resources. */
@NullMarked
package io.holdfast.node.init;

import org.jspecify.annotations.NullMarked;
