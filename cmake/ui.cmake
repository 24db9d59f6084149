# The web pages inside the program: Vite builds them, tools/embed_ui.py turns them into rondo_ui (the table that api/static.h declares).
set(ui_dir ${CMAKE_SOURCE_DIR}/ui)
set(ui_out ${CMAKE_BINARY_DIR}/ui)
set(ui_gen ${CMAKE_BINARY_DIR}/gen/ui)
file(GLOB_RECURSE ui_sources CONFIGURE_DEPENDS ${ui_dir}/src/* ${ui_dir}/public/* ${ui_dir}/mock/* ${ui_dir}/tools/*)
add_custom_command(
  OUTPUT ${ui_gen}/ui_files.cc ${ui_gen}/ui_data.S
  COMMAND ${CMAKE_SOURCE_DIR}/tools/build_ui.sh ${ui_out}
  COMMAND ${CMAKE_SOURCE_DIR}/tools/embed_ui.py ${ui_out} ${ui_gen}
  DEPENDS ${ui_sources} ${ui_dir}/package.json ${ui_dir}/package-lock.json ${ui_dir}/tsconfig.json ${ui_dir}/vite.config.ts ${ui_dir}/index.html
          ${CMAKE_SOURCE_DIR}/tools/build_ui.sh ${CMAKE_SOURCE_DIR}/tools/embed_ui.py
  COMMENT "web pages" VERBATIM)
add_library(rondo_ui STATIC ${ui_gen}/ui_files.cc ${ui_gen}/ui_data.S)
target_include_directories(rondo_ui PRIVATE src)
target_link_libraries(rondo_ui PUBLIC rondo_api)
