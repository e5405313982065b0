"""A repository rule for a library that is either installed or downloaded."""

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

        # The archive's own build files load rules that this workspace does not have.
        ctx.delete("BUILD.bazel")
        ctx.delete("BUILD")
        ctx.symlink(ctx.attr.build_file, "BUILD")

system_or_http_archive = repository_rule(
    doc = "Links an installed library, or downloads an archive if system_variable is empty.",
    implementation = _system_or_http_archive_impl,
    attrs = {
        "build_file": attr.label(
            doc = "Build file for the downloaded archive.",
            mandatory = True,
        ),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(),
        "system_build_file": attr.label(
            doc = "Build file for the installed library.",
            mandatory = True,
        ),
        "system_links": attr.string_dict(
            doc = "Links to make: path below the prefix -> path in the repository.",
            mandatory = True,
        ),
        "system_variable": attr.string(
            doc = "Environment variable that holds the prefix, such as /usr; empty to download.",
            mandatory = True,
        ),
        "url": attr.string(mandatory = True),
    },
    environ = [
        "TF_VSINIT_GOOGLETEST",
        "TF_VSINIT_HIGHWAY",
    ],
)
