"""A library that the machine has, or else one that Bazel downloads."""

def _system_or_http_archive_impl(ctx):
    prefix = ctx.os.environ.get(ctx.attr.system_variable, "")
    if prefix:
        for source, link in ctx.attr.system_links.items():
            ctx.symlink(prefix + "/" + source, link)
        ctx.symlink(ctx.attr.system_build_file, "BUILD")
    else:
        ctx.download_and_extract(
            sha256 = ctx.attr.sha256,
            stripPrefix = ctx.attr.strip_prefix,
            url = ctx.attr.url,
        )

        # The archive's own build files ask for rules that nothing else here needs.
        ctx.delete("BUILD.bazel")
        ctx.delete("BUILD")
        ctx.symlink(ctx.attr.build_file, "BUILD")

system_or_http_archive = repository_rule(
    doc = "An external repository made of a system library, or of an archive where there is none.",
    implementation = _system_or_http_archive_impl,
    attrs = {
        "build_file": attr.label(
            doc = "Build file for the downloaded archive.",
            mandatory = True,
        ),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(),
        "system_build_file": attr.label(
            doc = "Build file for the system's copy.",
            mandatory = True,
        ),
        "system_links": attr.string_dict(
            doc = "What to link: path below the system's prefix to path in the repository.",
            mandatory = True,
        ),
        "system_variable": attr.string(
            doc = "Environment variable with the system's prefix, such as /usr; empty to download.",
            mandatory = True,
        ),
        "url": attr.string(mandatory = True),
    },
    environ = [
        "TF_VSINIT_GOOGLETEST",
        "TF_VSINIT_HIGHWAY",
    ],
)
