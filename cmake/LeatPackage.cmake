# Run as a script: puts links to the Python package's files (folder FROM) into the build tree (folder TO), beside the
# module that is built there, so that an edited file needs no build.

file(MAKE_DIRECTORY "${TO}")
file(GLOB entries RELATIVE "${FROM}" "${FROM}/*")
list(REMOVE_ITEM entries __pycache__)
foreach(entry IN LISTS entries)
    file(CREATE_LINK "${FROM}/${entry}" "${TO}/${entry}" SYMBOLIC)
endforeach()

file(GLOB links RELATIVE "${TO}" "${TO}/*")
foreach(link IN LISTS links)
    if(IS_SYMLINK "${TO}/${link}" AND NOT EXISTS "${TO}/${link}")
        file(REMOVE "${TO}/${link}")
    endif()
endforeach()
